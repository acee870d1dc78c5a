/** The manual, as `--help` prints it: 80 columns at most. */
export const START_MANUAL = `npm start [-- <options>]

Builds the relay, starts a landscape of AWS and SAP on loopback, delivers messages
through it, and stays up for yours. No account, no Docker.

  --once           ends after the story; exit code 0 only if every message arrived
  --port <number>  the first of ten ports in a row, default 4710; where one is
                   taken, the next ten that are free, and a line says so
  --help           this text

Ctrl-C ends it, and so does SIGTERM to its process group (kill -- -<group>): npm
hands on no signal that is sent to npm's own process alone.
`;
