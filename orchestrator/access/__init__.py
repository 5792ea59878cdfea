"""Who may do what: passwords, tokens, sessions and roles."""
