"""``python -m workers work|cron``: what ``waymark worker`` and ``waymark cron`` become."""

import sys

from bootstrap import logs
from bootstrap.container import running
from bootstrap.embedded import EmbeddedError
from bootstrap.settings import SettingsError, load_settings
from workers import service


def main(arguments: list[str]) -> int:
    """Run one process.

    Returns:
        0 when told to stop, 2 when it cannot run here.
    """
    try:
        settings = load_settings()
        logs.configure(settings)
        with running(settings) as container:
            match arguments:
                case ["work", *rest] if set(rest) <= {"--burst"}:
                    service.serve_queue(container, container.redis_url, is_burst="--burst" in rest)
                case ["cron"]:
                    service.serve_schedule(container)
                case _:
                    sys.stderr.write("Usage: python -m workers work [--burst] | cron\n")
                    return 2
    except (SettingsError, EmbeddedError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
