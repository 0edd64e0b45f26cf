/** undici's client alone: the package's entry would load its web API, pools, caches and mocks as well. */
declare module 'undici/lib/dispatcher/client.js' {
  import { Client } from 'undici';
  export default Client;
}
