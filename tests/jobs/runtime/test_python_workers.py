"""What a Python task finds in its worker: modules that are loaded, and no archive to search."""


def test_a_worker_has_loaded_what_tasks_need_and_searches_no_archive(spark):
    def seen(batches):
        import gc
        import os
        import sys

        loaded = {"models.rating.evaluator", "models.rating.free_units"} <= set(sys.modules)
        import pyarrow

        searched = [*sys.path, *sys.path_importer_cache]
        for batch in batches:
            yield pyarrow.RecordBatch.from_pydict(
                {
                    "loaded": [loaded] * batch.num_rows,
                    "archives": [sum(map(os.path.isfile, searched))] * batch.num_rows,
                    "set_aside": [gc.get_freeze_count() > 0] * batch.num_rows,
                }
            )

    rows = (
        spark.range(0, 4, 1, 4)
        .mapInArrow(seen, "loaded BOOLEAN, archives BIGINT, set_aside BOOLEAN")
        .distinct()
        .collect()
    )
    assert [row.asDict() for row in rows] == [{"loaded": True, "archives": 0, "set_aside": True}]
