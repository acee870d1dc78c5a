/** In place of our own log: Powertools Logger. */
import { Logger } from '@aws-lambda-powertools/logger';
import type { Log, LogOptions } from '../../../functions/telemetry/log.ts';

export function createLog({ service }: LogOptions): Log {
  const logger = new Logger({ serviceName: service });
  return {
    begin: (context) => logger.addContext(context),
    write: (level, message, fields) => logger[level](message, { ...fields }),
    append: (line) => void process.stdout.write(line),
    flush: () => undefined,
  };
}
