/** For mutation testing: property tests take the same cases each time, so that a mutant does not live or die by chance. */
import fc from 'fast-check';

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 20_260_101 });
