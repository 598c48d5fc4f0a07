import gc

from config.web import memory


def test_what_is_loaded_is_left_out_of_collections() -> None:
    try:
        memory.settle()
        assert gc.get_freeze_count() > 50_000
    finally:
        gc.unfreeze()
