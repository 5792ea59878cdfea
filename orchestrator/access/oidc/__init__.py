"""Single sign-on: OpenID Connect's code flow with PKCE."""
