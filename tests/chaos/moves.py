"""Workers that come, go and come back from the dead.

Rolling restarts, zombies, a storm of rebalances, more partitions.
"""

import time
from signal import SIGSTOP

from tests.chaos.ledger import moment
from tests.chaos.system import SESSION, System
from tests.running import wait_for

STOPS = ("take", "letters", "before windows", "windows filing", "windows document", "write")
"""Steps after which a worker becomes a zombie.

What it still has in hand is written when it comes back.
"""


def rolling(system: System, rounds: int) -> str:
    """SIGTERM and restart of workers and gateways in turn, under load; each ends in good order."""
    for number in range(2):
        system.start_worker(number)
    system.send()
    for number in range(rounds):
        system.more(500)
        which = number % 2
        system.say(
            f"restart {number + 1} of {rounds}: worker {which} and gateway {which}; "
            f"{len(system.ledger):,} accepted"
        )
        code = system.workers[which].stop(30)
        assert code == 0, (
            f"worker {which} ended with {code} after SIGTERM: "
            f"{system.workers[which].text()[-2000:]}"
        )
        system.start_worker(which)
        system.more(200)
        code = system.gateways[which].stop(30)
        assert code == 0, (
            f"gateway {which} ended with {code} after SIGTERM: "
            f"{system.gateways[which].text()[-2000:]}"
        )
        system.start_gateway(which)
    return f"{rounds} restarts of a worker and a gateway each"


def zombies(system: System, rounds: int) -> str:
    """SIGSTOP of a worker in mid-batch past its session, another takes over, SIGCONT.

    It writes what it had in hand, late.
    """
    system.start_worker(0)
    system.send(vandal=True)
    steps = [STOPS[(number + system.rng.randrange(2)) % len(STOPS)] for number in range(rounds)]
    for number, step in enumerate(steps):
        system.say(
            f"zombie {number + 1} of {rounds}: frozen after {step!r}; {len(system.ledger):,} "
            "accepted"
        )
        zombie = system.doom(1, step, system.rng.randint(2, 8), SIGSTOP)
        wait_for(zombie.frozen, 60, f"the worker that freezes after {step!r}")
        time.sleep(SESSION)
        system.caught_up()  # The frozen worker's partitions are taken over, too.
        zombie.thaw()
        system.more(500)
        if system.rng.random() < 0.5:
            zombie.kill()  # Right after it came back, or:
        else:
            code = zombie.stop(30)
            assert code == 0, (
                f"a zombie that came back ended with {code} after SIGTERM: {zombie.text()[-2000:]}"
            )
    return f"{rounds} zombies, frozen after {', '.join(sorted(set(steps)))}"


def storm(system: System, seconds: float) -> str:
    """Two to four workers joining and leaving all the time, some in good order, some by kill -9,
    some frozen and thawed.
    """
    system.start_worker(0)
    system.send(vandal=True)
    joined = left = killed = frozen = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        running = list(system.running())
        absent = [number for number in range(4) if number not in running]
        system.say(
            f"{len(running)} workers, {end - time.monotonic():.0f} s to go; {len(system.ledger):,} "
            "accepted"
        )
        if absent and (len(running) < 2 or system.rng.random() < 0.5):
            system.start_worker(absent[0], wait=False)
            joined += 1
        else:
            number = system.rng.choice(running)
            worker = system.workers[number]
            match system.rng.randrange(3):
                case 0:
                    code = worker.stop(30)
                    # -15: it was told to end before it could listen.
                    assert code in (0, -15), (
                        f"worker {number} ended with {code} after SIGTERM: {worker.text()[-2000:]}"
                    )
                    left += 1
                case 1:
                    worker.kill()
                    killed += 1
                case 2:
                    worker.freeze()
                    time.sleep(system.rng.choice((1.0, SESSION + 2)))
                    worker.thaw()
                    frozen += 1
        time.sleep(system.rng.choice((0.2, 1.5, 4.0)))
    assert all(
        worker.process.returncode in (None, 0, -9, -15) for worker in system.workers.values()
    ), "a worker ended by itself"
    return f"{joined} joined, {left} left, {killed} killed, {frozen} frozen and thawed"


def more_partitions(system: System, counts: tuple[int, ...]) -> str:
    """`IOC_PARTITIONS` declares more while events flow, all processes are restarted in turn, then
    the time comes; all is resent.
    """
    for number in range(2):
        system.start_worker(number)
    system.send(ahead=False)
    history = "4"
    for count in counts:
        system.more(1_500)
        system.not_after = time.time_ns() // 1_000_000
        since = system.not_after + 3_000
        history += f", {moment(since)} = {count}"
        system.environment["IOC_PARTITIONS"] = history
        system.say(f"declared: {history}; {len(system.ledger):,} accepted")
        for number in range(2):
            assert system.gateways[number].stop(30) == 0
            system.start_gateway(number)
            assert system.workers[number].stop(30) == 0
            system.start_worker(number)
        time.sleep(max(0.0, since / 1000 - time.time()))
        system.not_after = None
        system.more(1_500)
        system.workers[0].kill()
        system.gateways[0].kill()
        system.start_gateway(0)
        system.start_worker(0)
        system.more(1_500)
    used = "SELECT uniqExact(partition) FROM events_filing"
    wait_for(lambda: system.ask(used)[0][0] == counts[-1], 60, "events from every partition")
    return (
        f"from 4 to {' to '.join(map(str, counts))} partitions; a worker and a gateway killed "
        "after each"
    )
