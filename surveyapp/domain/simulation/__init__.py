"""Playing recorded events through a policy in memory, with the `decide` of live sending. Reads and writes nothing."""
