"""News in our words, applied to what it is about; what we do not know yet waits until it comes to be."""
