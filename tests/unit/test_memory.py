import gc

from config.web import memory


def test_what_is_loaded_is_left_out_of_collections() -> None:
    gc.unfreeze()  # what the test process has left out
    memory.settle()
    assert gc.get_freeze_count() > 50_000
