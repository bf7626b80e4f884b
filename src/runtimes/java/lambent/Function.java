package lambent;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The handler: "package.Class" or "package.Class::method", found by reflection in the code, its lib/ and the layers' java/lib/. */
final class Function {
    private final Object instance;
    private final Method method;
    /** What the event becomes; null when the method does not take it. */
    private final Type input;
    private final boolean stream;

    private Function(Object instance, Method method, Type input, boolean stream) {
        this.instance = instance;
        this.method = method;
        this.input = input;
        this.stream = stream;
    }

    static Function load(String handler) throws Exception {
        int colons = handler.indexOf("::");
        String className = colons < 0 ? handler : handler.substring(0, colons);
        String methodName = colons < 0 ? "handleRequest" : handler.substring(colons + 2);
        if (className.isEmpty() || methodName.isEmpty())
            throw new Failure.Fault("Invalid handler: `" + handler + "'", "Runtime.InvalidHandler", null);
        ClassLoader loader = new URLClassLoader(classPath(), Function.class.getClassLoader());
        Thread.currentThread().setContextClassLoader(loader);
        Class<?> type;
        try {
            type = Class.forName(className, true, loader);
        } catch (ClassNotFoundException e) {
            throw new Failure.Fault("Class not found: " + className, "java.lang.ClassNotFoundException", e);
        }
        boolean known = RequestHandler.class.isAssignableFrom(type) || RequestStreamHandler.class.isAssignableFrom(type);
        if (colons < 0 && !known)
            throw new Failure.Fault("Class " + className + " does not implement an appropriate handler interface", "java.lang.ClassCastException", null);
        return of(type, methodName);
    }

    static Function of(Class<?> type, String methodName) throws Exception {
        Method method = choose(type, methodName);
        Object instance = Modifier.isStatic(method.getModifiers()) ? null : instance(type);
        method.setAccessible(true);
        Class<?>[] parameters = method.getParameterTypes();
        boolean stream = parameters.length >= 2 && parameters[0] == InputStream.class && parameters[1] == OutputStream.class;
        boolean takesEvent = parameters.length > 0 && parameters[0] != Context.class;
        return new Function(instance, method, takesEvent && !stream ? inputOf(type, method) : null, stream);
    }

    /** AWS's order: the code, the jars of its lib/ and of the layers' by name. */
    private static URL[] classPath() throws MalformedURLException {
        List<URL> urls = new ArrayList<>();
        String root = Environment.get("LAMBDA_TASK_ROOT", "/var/task");
        urls.add(new File(root + "/").toURI().toURL());
        for (String directory : new String[] {root + "/lib", "/opt/java/lib"}) {
            File[] jars = new File(directory).listFiles((where, name) -> name.endsWith(".jar"));
            if (jars == null) continue;
            Arrays.sort(jars);
            for (File jar : jars) urls.add(jar.toURI().toURL());
        }
        return urls.toArray(new URL[0]);
    }

    private static Object instance(Class<?> type) throws Exception {
        Constructor<?> constructor;
        try {
            constructor = type.getConstructor();
        } catch (NoSuchMethodException e) {
            boolean inner = type.getEnclosingClass() != null && !Modifier.isStatic(type.getModifiers());
            String why = inner ? " cannot be instantiated because it is a non-static inner class" : " has no public zero-argument constructor";
            throw new Failure.Fault("Class " + type.getName() + why, "java.lang.NoSuchMethodException", e);
        }
        constructor.setAccessible(true);
        return constructor.newInstance();
    }

    /** Of several the one that takes most, with the context last. */
    private static Method choose(Class<?> type, String name) throws Failure.Fault {
        Method best = null;
        for (Method method : type.getMethods())
            if (method.getName().equals(name) && fits(method) && (best == null || rank(method) > rank(best))) best = method;
        if (best == null)
            throw new Failure.Fault("No public method named " + name + " with appropriate method signature found on class " + type.getName(), "java.lang.NoSuchMethodException", null);
        return best;
    }

    private static int rank(Method method) {
        Class<?>[] taken = method.getParameterTypes();
        boolean context = taken.length > 0 && taken[taken.length - 1] == Context.class;
        return taken.length * 4 + (context ? 2 : 0) + (method.isBridge() ? 0 : 1);
    }

    private static boolean fits(Method method) {
        Class<?>[] taken = method.getParameterTypes();
        if (taken.length < 2) return true;
        boolean streams = taken[0] == InputStream.class && taken[1] == OutputStream.class;
        if (taken.length == 2) return streams || taken[1] == Context.class;
        return taken.length == 3 && streams && taken[2] == Context.class;
    }

    private static Type inputOf(Class<?> type, Method method) {
        Type declared = method.getGenericParameterTypes()[0];
        if (!RequestHandler.class.isAssignableFrom(type) || !method.getName().equals("handleRequest")) return declared;
        Type argument = argumentOf(type, null);
        return argument != null ? argument : declared;
    }

    /** The I of RequestHandler<I, O>, wherever among the ancestors it is said. */
    private static Type argumentOf(Type type, Type[] arguments) {
        Class<?> raw = (Class<?>) (type instanceof ParameterizedType ? ((ParameterizedType) type).getRawType() : type);
        Type[] own = type instanceof ParameterizedType ? ((ParameterizedType) type).getActualTypeArguments().clone() : new Type[0];
        if (raw == RequestHandler.class) return own.length > 0 ? own[0] : Object.class;
        List<Type> ancestors = new ArrayList<>(Arrays.asList(raw.getGenericInterfaces()));
        if (raw.getGenericSuperclass() != null) ancestors.add(raw.getGenericSuperclass());
        for (Type ancestor : ancestors) {
            Type found = argumentOf(ancestor, own);
            if (!(found instanceof TypeVariable)) {
                if (found != null) return found;
                continue;
            }
            TypeVariable<?>[] variables = raw.getTypeParameters();
            for (int i = 0; i < variables.length && i < own.length; i++)
                if (variables[i].equals(found)) return own[i];
            return found;
        }
        return null;
    }

    /** The answer's bytes. Throws what the handler throws, within InvocationTargetException. */
    byte[] call(byte[] event, Context context) throws Throwable {
        if (stream) return callStream(event, context);
        Class<?>[] taken = method.getParameterTypes();
        Object[] arguments = new Object[taken.length];
        if (taken.length > 0 && taken[taken.length - 1] == Context.class) arguments[taken.length - 1] = context;
        if (input != null) arguments[0] = read(event);
        Object result = method.invoke(instance, arguments);
        try {
            return Json.write(result).getBytes(StandardCharsets.UTF_8);
        } catch (RuntimeException e) {
            throw new Failure.Fault("An error occurred during JSON serialization of response", e.getClass().getName(), e);
        }
    }

    private Object read(byte[] event) throws Throwable {
        if (input == InputStream.class) return new ByteArrayInputStream(event);
        try {
            return Mapping.convert(Json.read(new String(event, StandardCharsets.UTF_8)), input);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        } catch (RuntimeException | ReflectiveOperationException e) {
            throw new Failure.Fault("An error occurred during JSON parsing", "java.lang.RuntimeException", e);
        }
    }

    private byte[] callStream(byte[] event, Context context) throws Throwable {
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        InputStream given = new ByteArrayInputStream(event);
        if (method.getParameterCount() == 3) method.invoke(instance, given, output, context);
        else method.invoke(instance, given, output);
        return output.toByteArray();
    }
}
