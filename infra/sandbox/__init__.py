"""A small outside world that speaks the providers' HTTP APIs: payment, labels, messages, mail, warehouse."""
