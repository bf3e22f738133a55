// A plugin in JavaScript, which reads a secret by its reference and never sees a credential.

import { get } from 'vaultlet:keyvault/secrets@0.1.0';

export function describe(reference) {
  try {
    const secret = get(reference, undefined);
    const { name, vault } = secret.properties();
    const length = new TextEncoder().encode(secret.reveal()).length;
    return `${name} of ${vault} has ${length} bytes`;
  } catch (error) {
    // The value that is thrown is the error of the WIT result.
    const { message, help, id } = error.payload;
    throw `${message}; ${help} (${id})`;
  }
}
