/**
 * Loaded before a function's own code (`NODE_OPTIONS`), it lets the wall clock run ahead by as many milliseconds as stand
 * in the file CLOCK_FILE: so much time has passed while the process was frozen, as on Lambda between two invocations.
 */
const { readFileSync } = process.getBuiltinModule('node:fs');
const realNow = Date.now;
Date.now = () => realNow() + Number(readFileSync(process.env.CLOCK_FILE ?? '', 'utf8'));
