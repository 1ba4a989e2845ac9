"""The modules stand in one order: none leads back to itself."""

from graphlib import TopologicalSorter

import grimp


def test_no_module_leads_back_to_itself() -> None:
    graph = grimp.build_graph("workflows", "activities", "workers", "starter", "infra", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(imports).prepare()
