/** The manual, as `--help` prints it: 80 columns at most. */
export const START_MANUAL = `npm start [-- <options>]

Builds the relay, starts a landscape of AWS and SAP on loopback, delivers
messages through it, and stays up for yours. No account, no Docker.

  --config <file>  in place of the story: your own destinations, serverless.yml
                   as npm run package reads it; writes secrets and what to send
                   below dist/local/, and prints a command for each
  --stage <name>   with --config: the stage that the settings are read for, as
                   for npm run package, default dev; the landscape itself is
                   always the stage local
  --region <name>  with --config: the region
  --story <name>   main (default), or cutover: from Neo to Cloud Foundry and
                   back, both up at once
  --once           ends after the story; exit code 0 only if every message
                   arrived
  --port <number>  where its block of 100 ports begins, default 4100; where one
                   that it needs is taken, the next block, and a line says so
  --help           this text

Ctrl-C ends it, and so does SIGTERM to its process group (kill -- -<group>): npm
hands on no signal that is sent to npm's own process alone. What it wrote below
dist/local/ goes with it.
`;
