"""Problems of models in a server, with their way out."""
