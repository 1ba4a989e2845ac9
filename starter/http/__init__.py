"""What every request over HTTP stands on."""
