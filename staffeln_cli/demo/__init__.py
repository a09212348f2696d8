"""What `staffeln demo` shows, on a simulated cloud."""
