"""Search as a tool for agents: a server of the Model Context Protocol that reads stamped indices and writes nothing."""
