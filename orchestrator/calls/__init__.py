"""The call loop: ear, reply, history and their session, on ports alone."""
