package lambent;

import com.amazonaws.services.lambda.runtime.Client;
import com.amazonaws.services.lambda.runtime.ClientContext;
import com.amazonaws.services.lambda.runtime.CognitoIdentity;
import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.LambdaLogger;
import java.util.HashMap;
import java.util.Map;

/** The last argument of a handler (AWS Lambda Developer Guide, "Using the Lambda context object ... Java"). */
final class InvocationContext implements Context {
    private final Connection.Event event;
    private final CognitoIdentity identity;
    private final ClientContext client;

    InvocationContext(Connection.Event event) throws Failure.Fault {
        this.event = event;
        Map<String, Object> cognito = object("lambda-runtime-cognito-identity");
        Map<String, Object> device = object("lambda-runtime-client-context");
        identity = cognito == null ? null : new Identity(text(cognito, "cognitoIdentityId"), text(cognito, "cognitoIdentityPoolId"));
        client = device == null ? null : new Device(device);
    }

    @SuppressWarnings("unchecked")
    private Map<String, Object> object(String header) throws Failure.Fault {
        String text = event.header(header);
        if (text == null || text.isEmpty()) return null;
        try {
            return (Map<String, Object>) Json.read(text);
        } catch (RuntimeException e) {
            throw new Failure.Fault("Unable to parse " + header + " JSON", "Runtime.LambdaContextUnmarshalError", e);
        }
    }

    private static String text(Map<?, ?> map, String name) {
        Object value = map.get(name);
        return value == null ? null : value.toString();
    }

    private static Map<String, String> texts(Object map) {
        Map<String, String> found = new HashMap<>();
        if (map instanceof Map)
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) map).entrySet())
                found.put(entry.getKey().toString(), entry.getValue() == null ? null : entry.getValue().toString());
        return found;
    }

    private static final class Identity implements CognitoIdentity {
        private final String id;
        private final String pool;

        Identity(String id, String pool) {
            this.id = id;
            this.pool = pool;
        }

        @Override
        public String getIdentityId() {
            return id;
        }

        @Override
        public String getIdentityPoolId() {
            return pool;
        }
    }

    private static final class Device implements ClientContext, Client {
        private final Map<String, String> client;
        private final Map<String, String> custom;
        private final Map<String, String> environment;

        Device(Map<String, Object> json) {
            client = json.get("client") == null ? null : texts(json.get("client"));
            custom = texts(json.get("custom"));
            environment = texts(json.get("env"));
        }

        @Override
        public Client getClient() {
            return client == null ? null : this;
        }

        @Override
        public Map<String, String> getCustom() {
            return custom;
        }

        @Override
        public Map<String, String> getEnvironment() {
            return environment;
        }

        @Override
        public String getInstallationId() {
            return client.get("installation_id");
        }

        @Override
        public String getAppTitle() {
            return client.get("app_title");
        }

        @Override
        public String getAppVersionName() {
            return client.get("app_version_name");
        }

        @Override
        public String getAppVersionCode() {
            return client.get("app_version_code");
        }

        @Override
        public String getAppPackageName() {
            return client.get("app_package_name");
        }
    }

    @Override
    public String getAwsRequestId() {
        return event.header("lambda-runtime-aws-request-id");
    }

    @Override
    public String getLogGroupName() {
        return Environment.get("AWS_LAMBDA_LOG_GROUP_NAME");
    }

    @Override
    public String getLogStreamName() {
        return Environment.get("AWS_LAMBDA_LOG_STREAM_NAME");
    }

    @Override
    public String getFunctionName() {
        return Environment.get("AWS_LAMBDA_FUNCTION_NAME");
    }

    @Override
    public String getFunctionVersion() {
        return Environment.get("AWS_LAMBDA_FUNCTION_VERSION");
    }

    @Override
    public String getInvokedFunctionArn() {
        return event.header("lambda-runtime-invoked-function-arn");
    }

    @Override
    public CognitoIdentity getIdentity() {
        return identity;
    }

    @Override
    public ClientContext getClientContext() {
        return client;
    }

    @Override
    public int getRemainingTimeInMillis() {
        String deadline = event.header("lambda-runtime-deadline-ms");
        return deadline == null ? 0 : (int) Math.max(0, Long.parseLong(deadline) - System.currentTimeMillis());
    }

    @Override
    public int getMemoryLimitInMB() {
        return Integer.parseInt(Environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "0"));
    }

    @Override
    public LambdaLogger getLogger() {
        return Logging.LOGGER;
    }

    @Override
    public String getTenantId() {
        return event.header("lambda-runtime-aws-tenant-id");
    }

    @Override
    public String getXrayTraceId() {
        return event.header("lambda-runtime-trace-id");
    }
}
