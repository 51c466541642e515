"""What an admin looks after: the box's health, sync, retention, the audit log, certificates. No content, no recording."""
