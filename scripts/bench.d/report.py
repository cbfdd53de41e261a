"""The figures as a document and as tables."""

import statistics

# Around the figures of one size of inputs in the documentation.
BEGIN, END = "<!-- bench, {} inputs: begin -->", "<!-- bench, {} inputs: end -->"


def summary(rounds):
    """Medians of {(filesystem, scenario, method): [figures of each round]}."""
    cells = []
    for (filesystem, scenario, method), figures in rounds.items():
        timed = [each["seconds"] for each in figures if not each.get("sampled")]
        timed = timed or [each["seconds"] for each in figures]
        cell = {
            "filesystem": filesystem, "scenario": scenario, "method": method,
            "median_seconds": statistics.median(timed),
            "seconds": timed,
        }
        for key in ("memory", "memory_with_cache", "disk"):
            values = [each[key] for each in figures if each.get(key) is not None]
            cell[f"{key}_bytes"] = max(values) if values else None
        cells.append(cell)
    return cells


def median(cells, filesystem, scenario, method):
    """One median, or nothing if it was not measured."""
    for cell in cells:
        if (cell["filesystem"], cell["scenario"], cell["method"]) == (filesystem, scenario, method):
            return cell["median_seconds"]
    return None


def bars(cells, sizes, kinds, cold):
    """What pidoop promises, with what was measured: (claim, figures, holds)."""
    found = []
    small = sizes[0]
    for filesystem in kinds:
        def at(scenario, method):
            return median(cells, filesystem, scenario, method)

        def ratio(claim, top, bottom, limit, words):
            if top is not None and bottom:
                found.append({
                    "filesystem": filesystem, "claim": claim, "limit": limit,
                    "value": top / bottom, "unit": "×", "holds": top / bottom <= limit,
                    "words": f"{top:.2f} s / {bottom:.2f} s ({words})",
                })

        ratio(f"cold build of {small}", at(f"cold-{small}", "pidoop"),
              at(f"cold-{small}", "copy-once"), 1.0, "the best root script")
        ratio("rebuild, a property of all", at("rebuild-all", "pidoop"),
              at(f"copies-{small}", "copies"), 0.1, f"copying {small} images")
        ratio("rebuild, a property of one", at("rebuild-one", "pidoop"),
              at("copies-1", "copies"), 0.1, "copying one image")
        for scenario, words in (("unchanged", "caches dropped"), ("unchanged-warm", "caches warm")):
            seconds = at(scenario, "pidoop")
            if seconds is not None and (cold or scenario == "unchanged-warm"):
                found.append({
                    "filesystem": filesystem, "claim": f"nothing changed, {words}", "limit": 0.2,
                    "value": seconds, "unit": "s", "holds": seconds < 0.2, "words": "",
                })
        for cell in cells:
            if (cell["filesystem"], cell["method"]) == (filesystem, "pidoop") and (
                cell["scenario"] in (f"cold-{small}", f"cold-{sizes[-1]}")
            ):
                memory = (cell["memory_bytes"] or 0) / 2**20
                found.append({
                    "filesystem": filesystem, "claim": f"memory of {cell['scenario']}", "limit": 200,
                    "value": memory, "unit": "MiB", "holds": memory < 200,
                    "words": "page cache not counted",
                })
        for low, high in zip(sizes, sizes[1:]):
            marginal = {}
            for method in ("pidoop", "copy-once", "floor"):
                first, last = at(f"cold-{low}", method), at(f"cold-{high}", method)
                if first is not None and last is not None:
                    marginal[method] = (last - first) / (high - low)
            if "pidoop" in marginal and "floor" in marginal:
                over = marginal["pidoop"] - marginal["floor"]
                others = ", ".join(
                    f"{name} {value:.2f} s" for name, value in marginal.items()
                )
                found.append({
                    "filesystem": filesystem, "unit": "s", "limit": 0.3, "value": over,
                    "claim": f"a node more, {low} to {high}, beyond a copy",
                    "holds": over <= 0.3, "words": f"each: {others}",
                })
    return found


def size(count):
    """Bytes as MiB."""
    return "" if count is None else f"{count / 2**20:.0f}"


def markdown(document):
    """Everything as text between the markers of the documentation."""
    machine, run = document["machine"], document["run"]
    virtual = f" ({machine['virtual']} guest)" if machine["virtual"] else ""
    tools = ", ".join(f"{name} {said.removeprefix(name).strip()}" for name, said in machine["tools"].items()
                      if said and said != "none")
    lines = [
        f"Measured on {run['date']}: {machine['cpu']}, {machine['cores']} cores,"
        f" {machine['memory_mib'] / 1024:.1f} GiB{virtual}, Linux {machine['kernel']},"
        f" load {machine['load_at_start']:.1f} at the start"
        + (f", at nice {machine['nice']}" if machine["nice"] else "") + ".",
        f"{tools}.",
        (f"Medians of {run['rounds']} round{'s' * (run['rounds'] > 1)}," if run["rounds"] else
         "One round, slowed by looking at memory and disk: these times show little,")
        +
        f" {'caches dropped before each' if run['caches_dropped'] else 'CACHES NOT DROPPED'}.",
        f"Inputs ({run['size'] or 'own'}): {run['inputs']}.",
        f"An image is {size(run['image_bytes'])} MiB long and takes"
        f" {size(run['image_allocated_bytes'])} MiB of disk.",
        "",
    ]
    lines += [f"- Not measured: {words}." for words in document["skipped"]]
    lines += [f"- FAILED: {words}." for words in document["failed"]]
    if document["skipped"] or document["failed"]:
        lines.append("")
    if document["bars"]:
        inputs = run["size"] or "own"
        lines += ["| inputs | filesystem | promise | bar | measured | | from |",
                  "|---|---|---|--:|--:|---|---|"]
        for bar in document["bars"]:
            unit = " " + bar["unit"]
            lines.append(
                f"| {inputs} | {bar['filesystem']} | {bar['claim']} | {bar['limit']}{unit} |"
                f" {bar['value']:.2f}{unit} | {'holds' if bar['holds'] else '**does not hold**'} |"
                f" {bar['words']} |"
            )
        lines.append("")
    for filesystem in run["filesystems"]:
        cells = [cell for cell in document["cells"] if cell["filesystem"] == filesystem]
        lines += [
            f"On {filesystem}:", "",
            "| what | how | median, s | lowest to highest | × copy-once | memory, MiB"
            " | with page cache | disk, MiB |",
            "|---|---|--:|--:|--:|--:|--:|--:|",
        ]
        for cell in cells:
            best = median(cells, filesystem, cell["scenario"], "copy-once")
            ratio = f"{cell['median_seconds'] / best:.2f}" if best else ""
            times = cell["seconds"]
            lines.append(
                f"| {cell['scenario']} | {cell['method']} | {cell['median_seconds']:.2f} |"
                f" {min(times):.2f} to {max(times):.2f} | {ratio} | {size(cell['memory_bytes'])} |"
                f" {size(cell['memory_with_cache_bytes'])} | {size(cell['disk_bytes'])} |"
            )
        lines.append("")
    return "\n".join(lines)


def replaced(text, block, size_):
    """A page with the block between the markers of a size; all else stays."""
    begin, end = BEGIN.format(size_), END.format(size_)
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the page has no {begin} … {end}")
    return f"{before}{begin}\n\n{block.strip()}\n\n{end}{after}"
