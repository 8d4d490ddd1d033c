"""The flights: what goes in, row by row."""

import csv
import datetime
import io
import zipfile

# Flights in the data set.
ROWS = 336_776


def milliseconds(time):
    """Milliseconds since the epoch of a time as in 2013-01-01T10:00:00Z."""
    return int(datetime.datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp() * 1000)


def rows(path):
    """Key, timestamp in milliseconds and value of every flight in the data set at `path`, in the order of time."""
    with zipfile.ZipFile(path) as archive, archive.open("flights.csv") as raw:
        lines = io.TextIOWrapper(raw, "utf-8", newline="\n")
        names = next(csv.reader(lines))
        carrier, flight, minute, hour = (names.index(name) for name in ("carrier", "flight", "minute", "time_hour"))
        hours, found = {}, []
        for line in lines:
            line = line.rstrip("\r\n")
            fields = line.split(",")
            begin = hours.setdefault(fields[hour], milliseconds(fields[hour]))
            found.append((fields[carrier] + fields[flight], begin + int(fields[minute]) * 60_000, line))
    return sorted(found, key=lambda row: row[1])
