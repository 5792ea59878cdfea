"""What is told about calls: the recorder that keeps it, metrics and logs."""
