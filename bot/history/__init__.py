"""What happened, told to staff: trace, transcript, delivery status."""
