"""Java's classes and their functions, looked up once in a process instead of at each call.

pyspark asks Java for the class and for the function each time an expression is made. Java searches
its packages for the short names, and throws an exception for each package that has no such class.
A night makes some ten thousand expressions; the search takes more time than the calls themselves.
"""

from __future__ import annotations

from typing import Any

from py4j.java_gateway import JavaClass, JavaMember, JVMView

# The names by which pyspark asks for the classes that make and hold expressions.
CLASSES = {
    "functions": "org.apache.spark.sql.functions",
    "org.apache.spark.sql.functions": "org.apache.spark.sql.functions",
    "PythonUtils": "org.apache.spark.api.python.PythonUtils",
    "org.apache.spark.sql.classic.SparkSession": "org.apache.spark.sql.classic.SparkSession",
}


class KnownClass(JavaClass):
    """A class of Java that remembers the functions it was asked for."""

    def __getattr__(self, name: str) -> Any:
        member = super().__getattr__(name)
        if isinstance(member, JavaMember):  # a function without state; a field may change
            setattr(self, name, member)
        return member


def remember(java: JVMView) -> None:
    """Let `java`, the classes as Python sees them, remember those of CLASSES."""
    for name, full_name in CLASSES.items():
        setattr(java, name, KnownClass(full_name, java._gateway_client))
