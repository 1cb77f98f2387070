"""A SQL warehouse's double: the connector's own Thrift protocol on loopback, executed by DuckDB."""
