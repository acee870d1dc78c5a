/**
 * What the relay loads when it is first needed is loaded before the tests here: what a module works out once would else
 * belong to the one test that came first, and a mutant of it would be held against that test alone.
 */
import '../../functions/relay/adapter/odata/odata.ts';
import '../../functions/relay/adapter/soap/envelope.ts';
import '../../functions/relay/adapter/soap/fault.ts';
import '../../functions/relay/adapter/soap/payload.ts';
import '../../functions/relay/adapter/soap/soap-rm.ts';
import '../../functions/relay/adapter/soap/soap.ts';
import '../../functions/relay/adapter/xml.ts';
