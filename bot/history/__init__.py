"""History of messages for staff: trace, timeline, transcript, delivery status."""
