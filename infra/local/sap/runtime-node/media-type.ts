/** The header Content-Type as data: what it says, when it says anything. What follows from it is for those who ask. */
import { MIMEType } from 'node:util';

/** Undefined where there is none, or what is there is none (WHATWG MIME Sniffing, section 4.4). */
export function mediaType(contentType: string | undefined): MIMEType | undefined {
  try {
    return contentType === undefined ? undefined : new MIMEType(contentType);
  } catch {
    return undefined;
  }
}
