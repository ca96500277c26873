"""The chosen setting as Python, Haystack and LangChain code."""
