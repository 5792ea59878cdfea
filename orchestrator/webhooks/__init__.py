"""What happened, told to programs of the company: signed messages over HTTP, sent until they are taken."""
