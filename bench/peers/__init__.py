"""The same job on what people would use instead, each as its own documentation writes it."""
