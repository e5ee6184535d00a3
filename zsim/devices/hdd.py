"""A rotating disk: one head that has to go to the track and wait for the block to come round."""

from math import sqrt
from random import Random
from typing import ClassVar

from zsim.devices.block import BlockDevice, transfer_ns
from zsim.errors import ConfigError
from zsim.units import NS_PER_S


class Hdd(BlockDevice):
    """A 7200 rpm disk: seeks of 8.5 ms on average, half a turn (4.17 ms), 125 MB/s; one request at a time.

    Seek time is a + b * sqrt(distance in tracks) (Ruemmler and Wilkes, An introduction to disk drive modeling, 1994).
    The tracks of the device span the whole stroke, so its random requests cost what a data sheet says; a small swap
    partition on a large disk seeks less: lower `average_seek_ns`.

    The platter is where it really is: the angle of a block follows from its number, the angle of the platter from the
    time, so a skipped block costs its own length, a block just missed a whole turn, and requests at arbitrary times
    half a turn on average. That draws nothing, so one request more does not change the luck of all later ones; the seed
    only turns the platter at time 0. A request that starts where the last one ended pays for its transfer alone at any
    time: the drive's read-ahead or write buffer has it.

    Left out: elevator and command queueing (order is the caller's), the linear part of long seeks, settling before a
    write, head switches, zones of different bandwidth, write caching of scattered blocks.
    """

    rotational: ClassVar[bool] = True

    def __init__(
        self,
        blocks: int,
        seed: int,
        *,
        track_to_track_ns: int = 1_000_000,
        average_seek_ns: int = 8_500_000,
        rpm: int = 7200,
        bandwidth_bytes_per_s: int = 125_000_000,
    ) -> None:
        super().__init__(blocks, parallel=1)
        if average_seek_ns < track_to_track_ns:
            raise ConfigError(
                f"device.average_seek_ns: {average_seek_ns} is below device.track_to_track_ns ({track_to_track_ns})"
            )
        self.block_ns = transfer_ns(1, bandwidth_bytes_per_s)
        self.turn_ns = max(1, 60 * NS_PER_S // rpm)
        self.tracks = -(-blocks * self.block_ns // self.turn_ns)
        self.track_to_track_ns = track_to_track_ns
        # Two random places on a line of length 1 are 8/15 apart in the mean of sqrt(distance).
        self.stroke_ns = (average_seek_ns - track_to_track_ns) * 15 / 8
        self.phase_ns = Random(seed).randrange(self.turn_ns)
        self.track = 0
        self.next_slot = -1

    def submit(self, now_ns: int, write: bool, slot: int, pages: int) -> int:
        """The time the request completes: seek and rotation unless it continues the last one, and transfer."""
        self.account(write, slot, pages)
        service_ns = pages * self.block_ns
        if slot != self.next_slot:
            service_ns += self._position_ns(self.queue.start_ns(now_ns), slot)
        self.next_slot = slot + pages
        self.track = self.next_slot * self.block_ns // self.turn_ns
        return self.queue.submit(now_ns, service_ns)

    def seek_ns(self, tracks: int) -> int:
        """The time to move the head over so many tracks; nothing within a track."""
        return self.track_to_track_ns + round(self.stroke_ns * sqrt(tracks / self.tracks)) if tracks else 0

    def _position_ns(self, start_ns: int, slot: int) -> int:
        track, angle_ns = divmod(slot * self.block_ns, self.turn_ns)
        seek_ns = self.seek_ns(abs(track - self.track))
        rotation_ns = (angle_ns + self.phase_ns - start_ns - seek_ns) % self.turn_ns
        return seek_ns + rotation_ns
