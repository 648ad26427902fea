"""Java's classes are looked up once, and expressions are the same as before."""

from py4j import clientserver
from pyspark.sql import functions as F

from jobs.java import names


def test_an_expression_asks_java_for_no_class_and_for_no_function_twice(spark, monkeypatch):
    names.remember(spark._jvm)

    def made():
        return F.coalesce(F.upper(F.col("a")), F.lit("none")).alias("b")

    first, asked = made(), []
    send = clientserver.ClientServerConnection.send_command

    def listened(self, command, *others):
        asked.append(command)
        return send(self, command, *others)

    monkeypatch.setattr(clientserver.ClientServerConnection, "send_command", listened)
    again = made()
    calls = [command for command in asked if not command.startswith("m\n")]  # m: objects let go
    assert [command for command in calls if command.startswith("r\n")] == []
    assert len(calls) >= 5
    rows = spark.createDataFrame([("x",), (None,)], "a string").select(first, again.alias("c"))
    assert [tuple(row) for row in rows.collect()] == [("X", "X"), ("none", "none")]
