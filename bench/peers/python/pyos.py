"""A scheduler of generators in the shape of PyOS, written anew: tasks yield system calls, one loop performs them.

PyOS has no messages between tasks; Send and Receive are added in its own style. Trampolined sub-generators are kept, as in PyOS 8.
Reads lines "WORKLOAD COUNT" and answers each with the nanoseconds of one operation.
"""

import os
import sys
import time
from collections import deque
from types import GeneratorType

BATCH = 1000
RING = 1000
PILE = 100_000


class SystemCall:
    """What a task yields to ask for something."""

    task = None
    scheduler = None

    def handle(self):
        raise NotImplementedError


class Task:
    next_id = 0

    def __init__(self, target):
        Task.next_id += 1
        self.tid = Task.next_id
        self.target = target
        self.sendval = None
        self.stack = []

    def run(self):
        """Go on until the next system call; enter and leave sub-generators on the way."""
        while True:
            try:
                result = self.target.send(self.sendval)
            except StopIteration as end:
                if not self.stack:
                    raise
                self.sendval = end.value
                self.target = self.stack.pop()
                continue
            if isinstance(result, SystemCall):
                return result
            if isinstance(result, GeneratorType):
                self.stack.append(self.target)
                self.sendval = None
                self.target = result
                continue
            if not self.stack:
                return result
            self.sendval = result
            self.target = self.stack.pop()


class Scheduler:
    def __init__(self):
        self.ready = deque()
        self.taskmap = {}
        self.exit_waiting = {}

    def new(self, target):
        task = Task(target)
        self.taskmap[task.tid] = task
        self.schedule(task)
        return task.tid

    def schedule(self, task):
        self.ready.append(task)

    def exit(self, task):
        del self.taskmap[task.tid]
        for waiter in self.exit_waiting.pop(task.tid, ()):
            self.schedule(waiter)

    def wait_for_exit(self, task, tid):
        if tid not in self.taskmap:
            return False
        self.exit_waiting.setdefault(tid, []).append(task)
        return True

    def mainloop(self):
        while self.ready:
            task = self.ready.popleft()
            try:
                result = task.run()
            except StopIteration:
                self.exit(task)
                continue
            if isinstance(result, SystemCall):
                result.task = task
                result.scheduler = self
                result.handle()
                continue
            self.schedule(task)


class Mailbox:
    __slots__ = ("messages", "takers")

    def __init__(self):
        self.messages = deque()
        self.takers = deque()


class NewTask(SystemCall):
    def __init__(self, target):
        self.target = target

    def handle(self):
        self.task.sendval = self.scheduler.new(self.target)
        self.scheduler.schedule(self.task)


class WaitTask(SystemCall):
    def __init__(self, tid):
        self.tid = tid

    def handle(self):
        found = self.scheduler.wait_for_exit(self.task, self.tid)
        self.task.sendval = found
        if not found:
            self.scheduler.schedule(self.task)


class Send(SystemCall):
    def __init__(self, box, message):
        self.box = box
        self.message = message

    def handle(self):
        self.task.sendval = None
        if self.box.takers:
            taker = self.box.takers.popleft()
            taker.sendval = self.message
            self.scheduler.schedule(taker)
        else:
            self.box.messages.append(self.message)
        self.scheduler.schedule(self.task)


class Receive(SystemCall):
    def __init__(self, box):
        self.box = box

    def handle(self):
        if self.box.messages:
            self.task.sendval = self.box.messages.popleft()
            self.scheduler.schedule(self.task)
        else:
            self.box.takers.append(self.task)


def run(root):
    scheduler = Scheduler()
    scheduler.new(root)
    scheduler.mainloop()
    if scheduler.taskmap:
        raise RuntimeError("some tasks did not end")


def spawn_reply_wait(times):
    def child(box):
        yield Send(box, 1)

    box = Mailbox()
    for left in range(times, 0, -BATCH):
        count = min(left, BATCH)
        tids = []
        for _ in range(count):
            tids.append((yield NewTask(child(box))))
        for _ in range(count):
            yield Receive(box)
        for tid in tids:
            yield WaitTask(tid)


def ping_pong(times):
    there, back = Mailbox(), Mailbox()

    def partner():
        for _ in range(times):
            yield Send(back, (yield Receive(there)))

    yield NewTask(partner())
    for i in range(times):
        yield Send(there, i)
        yield Receive(back)


def yield_switch(times):
    turns = (times + BATCH - 1) // BATCH

    def task():
        for _ in range(turns):
            yield

    tids = []
    for _ in range(BATCH):
        tids.append((yield NewTask(task())))
    for tid in tids:
        yield WaitTask(tid)


def send_drain(times):
    box = Mailbox()
    for left in range(times, 0, -PILE):
        count = min(left, PILE)
        for i in range(count):
            yield Send(box, {"i": i})
        for _ in range(count):
            yield Receive(box)


def ring(times):
    laps = (times + RING - 1) // RING
    boxes = [Mailbox() for _ in range(RING)]

    def node(inbox, out):
        for _ in range(laps):
            yield Send(out, (yield Receive(inbox)) + 1)

    tids = []
    for i in range(RING):
        tids.append((yield NewTask(node(boxes[i], boxes[(i + 1) % RING]))))
    yield Send(boxes[0], 0)
    for tid in tids:
        yield WaitTask(tid)


def one_to_one(size):
    def workload(times):
        def consumer(box, count):
            for _ in range(count):
                yield Receive(box)

        for left in range(times, 0, -size):
            count = min(left, size)
            box = Mailbox()
            tid = yield NewTask(consumer(box, count))
            for i in range(count):
                yield Send(box, i)
            yield WaitTask(tid)

    return workload


WORKLOADS = {
    "spawn-reply-wait": spawn_reply_wait,
    "ping-pong": ping_pong,
    "yield-switch": yield_switch,
    "send-drain": send_drain,
    "ring-1000": ring,
    "one-to-one-100": one_to_one(100),
    "one-to-one-1k": one_to_one(1000),
    "one-to-one-10k": one_to_one(10_000),
    "one-to-one-100k": one_to_one(100_000),
}


def resident():
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def parked(count):
    """Resident bytes per task that waits for a message it never gets."""
    never = Mailbox()

    def task():
        yield Receive(never)

    scheduler = Scheduler()
    before = resident()
    for _ in range(count):
        scheduler.new(task())
    scheduler.mainloop()
    return (resident() - before) / len(never.takers)


def iter_once():
    yield


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "parked":
        print(f"{parked(int(sys.argv[2])):.3f}")
        return
    if sys.argv[1:] == ["cold"]:
        run(iter_once())
        return
    for line in sys.stdin:
        name, times = line.split()
        start = time.perf_counter_ns()
        run(WORKLOADS[name](int(times)))
        print(f"{(time.perf_counter_ns() - start) / int(times):.3f}", flush=True)


main()
