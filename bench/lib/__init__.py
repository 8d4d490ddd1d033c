"""The parts of bench/run: brokers, scenarios, report."""
