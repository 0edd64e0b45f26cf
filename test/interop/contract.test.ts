import { contractScripts } from './support/contract-suite';
import { GATEWAY } from './support/fetch-link';

contractScripts(GATEWAY);
