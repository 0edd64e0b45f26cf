import { GATEWAY } from './support/fetch-link';
import { fetchOverTls } from './support/fetch-tls-suite';

fetchOverTls(GATEWAY);
