export * from "./index.cjs";
import * as vaultlet from "./index.cjs";
export default vaultlet;
