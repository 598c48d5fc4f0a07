from typing import Any
class SyncProgress: pass
class SyncReport: pass
def sync(*a: Any, **k: Any) -> Any: ...
