"""Where records come from: each source yields contract records and knows nothing of storage."""
