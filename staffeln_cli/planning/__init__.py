"""Pure decisions: facts in, plans out; no clock, no logging, no I/O."""
