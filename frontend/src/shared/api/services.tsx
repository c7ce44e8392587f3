import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ComponentType, createContext, type ReactNode, useContext, useState, useSyncExternalStore } from "react";
import type { Host, ThemeName } from "@/hosts/host";
import { ApiClient } from "@/shared/api/client";
import { isApiError } from "@/shared/api/errors";
import { OtherTabs } from "@/shared/api/other-tabs";
import { Session, type SessionState } from "@/shared/api/session";
import { ToastProvider } from "@/shared/ui/toast";

/** All that a component may reach for, made once per host. */
export interface Services {
  host: Host;
  session: Session;
  api: ApiClient;
  queryClient: QueryClient;
  tabs: OtherTabs;
}

export function createServices(host: Host): Services {
  const session = new Session(host.storage);
  const queryClient = createQueryClient();
  let { departures } = session.getState();
  session.subscribe(() => {
    if (session.getState().departures === departures) return;
    departures = session.getState().departures;
    queryClient.clear();
  });
  return { host, session, api: new ApiClient(host, session), queryClient, tabs: new OtherTabs(queryClient) };
}

/** Retries only what may heal by itself; a 4xx is an answer. */
function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 60_000,
        refetchOnWindowFocus: false,
        retry: (failures, error) => isApiError(error) && (error.status === 0 || error.status >= 500) && failures < 1,
      },
    },
  });
}

const ServicesContext = createContext<Services | null>(null);

export function ServicesProvider({ services, children }: { services: Services; children: ReactNode }) {
  return (
    <ServicesContext.Provider value={services}>
      <QueryClientProvider client={services.queryClient}>{children}</QueryClientProvider>
    </ServicesContext.Provider>
  );
}

export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (!services) throw new Error("Wrap this component in ServicesProvider, or give it a host");
  return services;
}

/** Makes a component embeddable: with a `host` and no provider around it, it brings its own services. */
export function withHost<P extends object>(Inner: ComponentType<P>): ComponentType<P & { host?: Host }> {
  function Hosted({ host, ...props }: P & { host?: Host }) {
    const around = useContext(ServicesContext);
    const [own] = useState(() => (host && around?.host !== host ? createServices(host) : null));
    const inner = <Inner {...(props as unknown as P)} />;
    if (!own) return inner;
    return (
      <ServicesProvider services={own}>
        <ToastProvider>{inner}</ToastProvider>
      </ServicesProvider>
    );
  }
  Hosted.displayName = `withHost(${Inner.displayName ?? Inner.name})`;
  return Hosted;
}

export function useHost(): Host {
  return useServices().host;
}

export function useApi(): ApiClient {
  return useServices().api;
}

export function useSession(): SessionState & { session: Session } {
  const { session } = useServices();
  const state = useSyncExternalStore(session.subscribe, session.getState);
  return { ...state, session };
}

export function useTheme(): ThemeName {
  const { theme } = useHost();
  return useSyncExternalStore(theme.subscribe, theme.current);
}
