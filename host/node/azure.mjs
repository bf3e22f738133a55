import azure from "./azure.cjs";

export const { VaultletCredential } = azure;
export default azure;
