export * from "./azure.cjs";
import * as azure from "./azure.cjs";
export default azure;
