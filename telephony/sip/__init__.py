"""The SIP gateway and the SIP caller: the only importer of pjsua2."""
