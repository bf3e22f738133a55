import vaultlet from "./index.cjs";

export const { Vaultlet, Secret, Token } = vaultlet;
export const { get, getMany, list, plan, resolveEnvironment, token, versions, whoami } = vaultlet;
export const {
  VaultletError,
  UsageError,
  InvalidArgumentError,
  NotFoundError,
  DisabledError,
  UnavailableError,
  TimeoutError,
  InternalError,
  ConflictError,
  ThrottledError,
  DeniedError,
  ConfigurationError,
  NotConfiguredError,
  UnauthenticatedError,
} = vaultlet;
export default vaultlet;
