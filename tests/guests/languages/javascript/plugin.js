// A plugin in JavaScript: it names a secret and uses it, and sees no credential.

import { get } from 'vaultlet:keyvault/secrets@0.1.0';

export function describe(reference) {
  try {
    const secret = get(reference, undefined);
    const { name, vault } = secret.properties();
    const length = new TextEncoder().encode(secret.reveal()).length;
    return `${name} of ${vault} has ${length} bytes`;
  } catch (error) {
    // What is thrown here is the error of the result.
    const { message, help, id } = error.payload;
    throw `${message}; ${help} (${id})`;
  }
}
