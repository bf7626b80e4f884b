package lambent;

import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Calendar;
import java.util.Collection;
import java.util.Date;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/** Trees of JSON to objects of declared types, and objects to JSON: beans by their setters and getters, as AWS's runtime has it. */
final class Mapping {
    /** Events of AWS's library have times in seconds; everybody else's numbers are milliseconds. */
    private static final String EVENTS = "com.amazonaws.services.lambda.runtime.events.";

    private Mapping() {}

    static Object convert(Object tree, Type type) throws ReflectiveOperationException {
        return convert(tree, type, new HashMap<>(), false);
    }

    private static Object convert(Object tree, Type type, Map<TypeVariable<?>, Type> known, boolean seconds) throws ReflectiveOperationException {
        if (type instanceof TypeVariable) {
            Type bound = known.get(type);
            return convert(tree, bound != null ? bound : ((TypeVariable<?>) type).getBounds()[0], known, seconds);
        }
        if (type instanceof WildcardType) return convert(tree, ((WildcardType) type).getUpperBounds()[0], known, seconds);
        if (type instanceof GenericArrayType) return array(tree, ((GenericArrayType) type).getGenericComponentType(), known, seconds);
        if (type instanceof ParameterizedType) {
            ParameterizedType generic = (ParameterizedType) type;
            Class<?> raw = (Class<?>) generic.getRawType();
            Map<TypeVariable<?>, Type> inner = new HashMap<>(known);
            for (int i = 0; i < raw.getTypeParameters().length; i++) {
                Type argument = generic.getActualTypeArguments()[i];
                inner.put(raw.getTypeParameters()[i], argument instanceof TypeVariable && known.containsKey(argument) ? known.get(argument) : argument);
            }
            return toClass(tree, raw, generic.getActualTypeArguments(), inner, seconds);
        }
        return toClass(tree, (Class<?>) type, new Type[0], known, seconds);
    }

    private static Type argument(Type[] arguments, int i) {
        return i < arguments.length ? arguments[i] : Object.class;
    }

    private static Object toClass(Object tree, Class<?> raw, Type[] arguments, Map<TypeVariable<?>, Type> known, boolean seconds)
            throws ReflectiveOperationException {
        if (raw == Optional.class) return Optional.ofNullable(convert(tree, argument(arguments, 0), known, seconds));
        if (tree == null) return raw.isPrimitive() ? Array.get(Array.newInstance(raw, 1), 0) : null;
        if (raw == Object.class || raw.isInstance(tree) && !(tree instanceof Map) && !(tree instanceof List)) return tree;
        if (raw == ByteBuffer.class) return ByteBuffer.wrap(Base64.getDecoder().decode(text(tree, raw)));
        if (raw == byte[].class && tree instanceof String) return Base64.getDecoder().decode((String) tree);
        if (raw.isArray()) return array(tree, raw.getComponentType(), known, seconds);
        if (Map.class.isAssignableFrom(raw)) return map(tree, raw, arguments, known, seconds);
        if (Collection.class.isAssignableFrom(raw) || raw == Iterable.class) return collection(tree, raw, arguments, known, seconds);
        if (tree instanceof Map && (raw.isPrimitive() || raw.isEnum() || raw.getName().startsWith("java."))) throw mismatch(tree, raw);
        if (tree instanceof Map) return bean((Map<?, ?>) tree, raw, known);
        if (tree instanceof List) throw mismatch(tree, raw);
        return scalar(tree, raw, seconds);
    }

    private static IllegalArgumentException mismatch(Object tree, Class<?> raw) {
        String token = tree instanceof Map ? "Object" : tree instanceof List ? "Array" : tree instanceof String ? "String" : tree.getClass().getSimpleName();
        return new IllegalArgumentException("Cannot deserialize value of type `" + raw.getTypeName() + "` from " + token + " value");
    }

    private static String text(Object tree, Class<?> raw) {
        if (tree instanceof Map || tree instanceof List) throw mismatch(tree, raw);
        return tree.toString();
    }

    private static Object array(Object tree, Type component, Map<TypeVariable<?>, Type> known, boolean seconds) throws ReflectiveOperationException {
        if (!(tree instanceof List)) throw new IllegalArgumentException("Cannot deserialize an array from a value that is none");
        List<?> list = (List<?>) tree;
        Type raw = component instanceof ParameterizedType ? ((ParameterizedType) component).getRawType() : component;
        Object array = Array.newInstance(raw instanceof Class ? (Class<?>) raw : Object.class, list.size());
        for (int i = 0; i < list.size(); i++) Array.set(array, i, convert(list.get(i), component, known, seconds));
        return array;
    }

    @SuppressWarnings("unchecked")
    private static Object map(Object tree, Class<?> raw, Type[] arguments, Map<TypeVariable<?>, Type> known, boolean seconds)
            throws ReflectiveOperationException {
        if (!(tree instanceof Map)) throw mismatch(tree, raw);
        Map<Object, Object> made;
        if (raw.isAssignableFrom(LinkedHashMap.class)) made = new LinkedHashMap<>();
        else if (SortedMap.class.isAssignableFrom(raw) && raw.isAssignableFrom(TreeMap.class)) made = new TreeMap<>();
        else made = (Map<Object, Object>) make(raw);
        for (Map.Entry<?, ?> entry : ((Map<?, ?>) tree).entrySet())
            made.put(convert(entry.getKey(), argument(arguments, 0), known, seconds), convert(entry.getValue(), argument(arguments, 1), known, seconds));
        return made;
    }

    @SuppressWarnings("unchecked")
    private static Object collection(Object tree, Class<?> raw, Type[] arguments, Map<TypeVariable<?>, Type> known, boolean seconds)
            throws ReflectiveOperationException {
        if (!(tree instanceof List)) throw mismatch(tree, raw);
        Collection<Object> made;
        if (raw.isAssignableFrom(ArrayList.class)) made = new ArrayList<>();
        else if (SortedSet.class.isAssignableFrom(raw) && raw.isAssignableFrom(TreeSet.class)) made = new TreeSet<>();
        else if (raw == Set.class || raw == HashSet.class) made = new LinkedHashSet<>();
        else if (raw == Queue.class || raw == Deque.class) made = new ArrayDeque<>();
        else made = (Collection<Object>) make(raw);
        for (Object item : (List<?>) tree) made.add(convert(item, argument(arguments, 0), known, seconds));
        return made;
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Object scalar(Object tree, Class<?> raw, boolean seconds) throws ReflectiveOperationException {
        if (raw == String.class || raw == CharSequence.class) return tree.toString();
        if (raw == boolean.class || raw == Boolean.class) return tree instanceof Boolean ? tree : Boolean.valueOf(tree.toString());
        if (raw == char.class || raw == Character.class) return tree.toString().charAt(0);
        if (raw.isPrimitive() || Number.class.isAssignableFrom(raw)) return number(tree, raw);
        if (raw.isEnum()) return Enum.valueOf((Class<Enum>) raw, tree.toString());
        if (Date.class.isAssignableFrom(raw) && tree instanceof Number) return raw.getConstructor(long.class).newInstance(milliseconds((Number) tree, seconds));
        if (raw == Date.class) return Date.from(java.time.OffsetDateTime.parse(tree.toString()).toInstant());
        if (raw == Calendar.class && tree instanceof Number) {
            Calendar calendar = Calendar.getInstance();
            calendar.setTimeInMillis(milliseconds((Number) tree, seconds));
            return calendar;
        }
        if (tree instanceof String && ((String) tree).isEmpty()) return null;
        return fromText(tree, raw);
    }

    private static long milliseconds(Number number, boolean seconds) {
        return seconds ? Math.round(number.doubleValue() * 1000) : number.longValue();
    }

    private static Object number(Object tree, Class<?> raw) {
        BigDecimal value = tree instanceof Number || tree instanceof String ? new BigDecimal(tree.toString()) : null;
        if (value == null) throw mismatch(tree, raw);
        if (raw == int.class || raw == Integer.class) return value.intValue();
        if (raw == long.class || raw == Long.class) return value.longValue();
        if (raw == double.class || raw == Double.class) return value.doubleValue();
        if (raw == float.class || raw == Float.class) return value.floatValue();
        if (raw == short.class || raw == Short.class) return value.shortValue();
        if (raw == byte.class || raw == Byte.class) return value.byteValue();
        if (raw == BigInteger.class) return value.toBigInteger();
        return raw == BigDecimal.class ? value : tree;
    }

    /** java.time, Joda and everything else that is made of a text. */
    private static Object fromText(Object tree, Class<?> raw) throws ReflectiveOperationException {
        for (Class<?> taken : new Class<?>[] {CharSequence.class, String.class}) {
            for (String name : new String[] {"parse", "fromString", "valueOf"}) {
                try {
                    Method method = raw.getMethod(name, taken);
                    if (Modifier.isStatic(method.getModifiers()) && raw.isAssignableFrom(method.getReturnType())) return method.invoke(null, tree.toString());
                } catch (NoSuchMethodException e) {
                    continue;
                }
            }
        }
        for (Class<?> taken : new Class<?>[] {String.class, Object.class}) {
            try {
                return raw.getConstructor(taken).newInstance(tree.toString());
            } catch (NoSuchMethodException e) {
                continue;
            }
        }
        throw mismatch(tree, raw);
    }

    private static Object make(Class<?> raw) throws ReflectiveOperationException {
        try {
            Constructor<?> constructor = raw.getDeclaredConstructor();
            constructor.setAccessible(true);
            return constructor.newInstance();
        } catch (InvocationTargetException e) {
            throw e;
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException("Cannot construct instance of `" + raw.getName() + "` (no Creators, like default constructor, exist)");
        }
    }

    /** By setters; a class that can only be made whole, such as those of S3 events, by its fields. */
    private static Object bean(Map<?, ?> tree, Class<?> raw, Map<TypeVariable<?>, Type> known) throws ReflectiveOperationException {
        boolean event = raw.getName().startsWith(EVENTS);
        boolean whole = false;
        Object bean;
        try {
            bean = make(raw);
        } catch (IllegalArgumentException e) {
            if (!event || raw.isInterface()) throw e;
            bean = Unmade.instance(raw);
            whole = true;
        }
        for (Map.Entry<?, ?> entry : tree.entrySet()) {
            String name = entry.getKey().toString();
            Method setter = setter(raw, name);
            if (setter != null && !whole) {
                setter.setAccessible(true);
                setter.invoke(bean, convert(entry.getValue(), setter.getGenericParameterTypes()[0], known, event));
                continue;
            }
            Field field = field(raw, name, whole);
            if (field == null) continue;
            field.setAccessible(true);
            field.set(bean, convert(entry.getValue(), field.getGenericType(), known, event));
        }
        return bean;
    }

    private static Method setter(Class<?> raw, String name) {
        Method best = null;
        for (Method method : raw.getMethods()) {
            if (method.getParameterCount() != 1 || !method.getName().startsWith("set") || method.isBridge()) continue;
            if (Modifier.isStatic(method.getModifiers()) || !method.getName().regionMatches(true, 3, name, 0, Math.max(name.length(), method.getName().length() - 3))) continue;
            // Of overloads the one that the getter speaks of.
            if (best == null || getterReturns(raw, method)) best = method;
        }
        return best;
    }

    private static boolean getterReturns(Class<?> raw, Method setter) {
        try {
            return raw.getMethod("get" + setter.getName().substring(3)).getReturnType() == setter.getParameterTypes()[0];
        } catch (NoSuchMethodException e) {
            return false;
        }
    }

    private static Field field(Class<?> raw, String name, boolean hidden) {
        for (Class<?> owner = raw; owner != null && owner != Object.class; owner = owner.getSuperclass())
            for (Field field : owner.getDeclaredFields())
                if (field.getName().equalsIgnoreCase(name) && !Modifier.isStatic(field.getModifiers()) && (hidden || Modifier.isPublic(field.getModifiers()) && !Modifier.isFinal(field.getModifiers())))
                    return field;
        return null;
    }

    /** Objects of classes that have no constructor of their own to call. */
    private static final class Unmade {
        static Object instance(Class<?> raw) throws ReflectiveOperationException {
            Class<?> factory = Class.forName("sun.reflect.ReflectionFactory");
            Object made = factory.getMethod("getReflectionFactory").invoke(null);
            Object constructor = factory.getMethod("newConstructorForSerialization", Class.class, Constructor.class).invoke(made, raw, Object.class.getConstructor());
            return ((Constructor<?>) constructor).newInstance();
        }
    }

    static void write(Object value, StringBuilder out, int depth) {
        Object plain = plain(value);
        if (plain != value) {
            Json.write(plain, out, depth);
            return;
        }
        Json.write(properties(value), out, depth);
    }

    /** What a value is in JSON; the value itself when it is a bean. */
    private static Object plain(Object value) {
        if (value instanceof Optional) return ((Optional<?>) value).orElse(null);
        if (value instanceof Enum) return ((Enum<?>) value).name();
        if (value instanceof Date) return ((Date) value).getTime();
        if (value instanceof Calendar) return ((Calendar) value).getTimeInMillis();
        if (value instanceof byte[]) return Base64.getEncoder().encodeToString((byte[]) value);
        if (value instanceof ByteBuffer) {
            ByteBuffer buffer = ((ByteBuffer) value).duplicate();
            byte[] bytes = new byte[buffer.remaining()];
            buffer.get(bytes);
            return Base64.getEncoder().encodeToString(bytes);
        }
        if (value.getClass().isArray()) {
            List<Object> list = new ArrayList<>();
            for (int i = 0; i < Array.getLength(value); i++) list.add(Array.get(value, i));
            return list;
        }
        String name = value.getClass().getName();
        boolean text = name.startsWith("java.time.") || name.startsWith("org.joda.time.") || name.startsWith("java.net.") || name.startsWith("java.util.UUID") || value instanceof Class;
        return text ? value.toString() : value;
    }

    /** In the order of the fields that they belong to, then the others by name. */
    private static Map<String, Object> properties(Object bean) {
        Map<String, Method> getters = new TreeMap<>();
        for (Method method : bean.getClass().getMethods()) {
            String name = propertyOf(method);
            if (name != null) getters.put(name, method);
        }
        Map<String, Object> found = new LinkedHashMap<>();
        Deque<Class<?>> owners = new ArrayDeque<>();
        for (Class<?> owner = bean.getClass(); owner != null && owner != Object.class; owner = owner.getSuperclass()) owners.push(owner);
        try {
            for (Class<?> owner : owners)
                for (Field field : owner.getDeclaredFields()) {
                    Method getter = getters.remove(field.getName());
                    if (getter != null) found.put(field.getName(), value(getter, bean));
                    else if (Modifier.isPublic(field.getModifiers()) && !Modifier.isStatic(field.getModifiers())) found.put(field.getName(), accessible(field).get(bean));
                }
            for (Map.Entry<String, Method> getter : getters.entrySet()) found.put(getter.getKey(), value(getter.getValue(), bean));
            // As AWS's runtime: absent is what a bean does not have; a map's nulls stay.
            found.values().removeIf(each -> each == null);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("Cannot serialize " + bean.getClass().getName(), e);
        }
        return found;
    }

    private static Field accessible(Field field) {
        field.setAccessible(true);
        return field;
    }

    private static Object value(Method getter, Object bean) throws ReflectiveOperationException {
        getter.setAccessible(true);
        return getter.invoke(bean);
    }

    private static String propertyOf(Method method) {
        if (method.getParameterCount() != 0 || Modifier.isStatic(method.getModifiers()) || method.isBridge() || method.getDeclaringClass() == Object.class) return null;
        String name = method.getName();
        boolean is = name.startsWith("is") && (method.getReturnType() == boolean.class || method.getReturnType() == Boolean.class);
        int prefix = is ? 2 : name.startsWith("get") ? 3 : name.length();
        if (prefix >= name.length() || method.getReturnType() == void.class) return null;
        // "getURL" is "url": all leading capitals become small.
        StringBuilder property = new StringBuilder(name.substring(prefix));
        for (int i = 0; i < property.length() && Character.isUpperCase(property.charAt(i)); i++) property.setCharAt(i, Character.toLowerCase(property.charAt(i)));
        return property.toString();
    }
}
